/** What the reader of the demo sees. */

const WIDTH = 170;

const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);

export function scene(number: number, title: string): void {
  console.log(`\n${bold(`${number}. ${title}`)}`);
}

/** What is done: a sentence. */
export function say(sentence: string): void {
  console.log(`   ${sentence}`);
}

/** What was seen, as it came, shortened at the right. */
export function show(output: string, lines = 12): void {
  for (const line of output.trimEnd().split('\n').slice(0, lines)) {
    console.log(`     ${line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line}`);
  }
}

/** The story went otherwise. The message says what was told and what was seen instead. */
export class NotAsTold extends Error {}

export function told(holds: boolean, what: string, seen: string): asserts holds {
  if (!holds) throw new NotAsTold(`It was told that ${what}, but this was seen:\n${seen}`);
}
