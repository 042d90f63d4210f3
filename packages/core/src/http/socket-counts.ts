/**
 * Counts the open sockets and streams of addresses over several processes, for the option `socketCounts` of a handler. It may forget, and need not
 * be exact: while it cannot reach the other processes, each counts its own.
 */
export interface SocketCounts {
  /**
   * Notes how many this process has open for a key, and resolves to how many the others have; 0 if that cannot be known now. It is called
   * with each change and before each socket or stream; the last number counts. A rejection is logged, and counts as 0.
   */
  note(key: string, open: number): Promise<number>;
}
