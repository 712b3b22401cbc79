/** Values of PyPI's Faker, and identifiers that python-stdnum takes for valid, in texts that Faker makes: generators/generate.py. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { measures, missingSentence } from '../../hack/tools/parts.ts';
import type { Labelled } from './by-detector.ts';

const GENERATOR = resolve(import.meta.dirname, 'generators/generate.py');
const line = z.object({ detector: z.string().nullable(), value: z.string().nullable(), text: z.string() });

/** Undefined where they can be made, else a sentence that says what to do. */
export function whyNoPython(): string | undefined {
  return missingSentence([measures]);
}

/** The same for the same number of seeds. */
export async function pythonTexts(seeds: number): Promise<Labelled[]> {
  const child = spawn(measures.file('python/bin/python'), [GENERATOR, String(seeds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const texts: Labelled[] = [];
  for await (const one of createInterface({ input: child.stdout })) {
    const { detector, value, text } = line.parse(JSON.parse(one));
    texts.push({ detector: detector ?? undefined, value: value ?? '', text });
  }
  return texts;
}
