/** The scenes. Each does something for real and holds what came of it against what is told. */
import { approval } from './scenes/approval.ts';
import { hiddenDrop } from './scenes/hidden-drop.ts';
import { leases } from './scenes/leases.ts';
import { masked } from './scenes/masked.ts';
import { noToken } from './scenes/no-token.ts';
import { ownKey } from './scenes/own-key.ts';
import { page } from './scenes/page.ts';
import { record } from './scenes/record.ts';
import { replay } from './scenes/replay.ts';
import type { Cast } from './cast.ts';

export interface Scene {
  readonly title: string;
  readonly play: (cast: Cast) => Promise<void>;
}

export const story: readonly Scene[] = [
  { title: 'Without a token nobody gets in', play: noToken },
  { title: 'A support agent reads orders; the card numbers stay behind', play: masked },
  { title: 'She tries to delete; it waits for somebody else, and runs once', play: approval },
  { title: 'The approved request, sent again, is refused', play: replay },
  { title: 'Another change waits; Bo decides it on a page', play: page },
  { title: 'A DROP TABLE behind a comment is denied', play: hiddenDrop },
  { title: 'The server prints its own key; nobody sees it', play: ownKey },
  { title: 'Each session is lent a database user of its own, which dies with it', play: leases },
  { title: 'Everything is on record, and the record proves itself', play: record },
];
