import { Lru } from '../../lib/lru.ts';
import type { ClassifySql } from '../engine/sql/classify.ts';

/** Agents ask the same few things over and over. Beyond this length a statement is hardly asked twice. */
const MAX_CHARS = 2_048;
const STATEMENTS = 4_096;

/** Reads a statement once: what it does depends on its text and dialect alone, so the same text does the same again. */
export function remembering(classify: ClassifySql): ClassifySql {
  const known = new Lru<string, ReturnType<ClassifySql>>(STATEMENTS);
  return (text, dialect) => {
    if (text.length > MAX_CHARS) return classify(text, dialect);
    const key = `${dialect} ${text}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const facts = classify(text, dialect);
    known.set(key, facts);
    return facts;
  };
}
