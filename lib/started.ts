/** Starting several things of which a later one may fail. */

/** Says how something that was started is ended. */
export type OnClose = (end: () => void | Promise<void>) => void;

/** What `start` gives, with a `close` that ends what it started, the last first; a `start` that fails ends it too. */
export async function startTogether<T extends object>(
  start: (onClose: OnClose) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const started: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start((end) => started.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}
