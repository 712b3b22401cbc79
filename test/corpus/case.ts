/** The classes or effects that a text must get, in order and between spaces, none for a plain read; and the text. */
export type Case = readonly [expected: string, text: string];
