/** How a batch of lines gets to the recorder. The delivery loop knows only this interface. */
export interface RecordTransport {
  /** Sends whole lines of one stream. Rejects when the recorder cannot be reached or cannot take them now. */
  send(stream: string, lines: Buffer, signal: AbortSignal): Promise<DeliveryAnswer>;
  close(): Promise<void>;
}

export type DeliveryAnswer =
  /** Stored durably, up to and with this sequence number. */
  | { readonly kind: 'acknowledged'; readonly seq: number }
  /** The recorder wants the stream from `expected` on. */
  | { readonly kind: 'out_of_sequence'; readonly expected: number }
  /** The recorder holds another chain under this stream's name. */
  | { readonly kind: 'chain_broken'; readonly message: string }
  /** The recorder will never take these lines as they are. */
  | { readonly kind: 'rejected'; readonly message: string };
