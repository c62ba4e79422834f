const HIGH_WATER = 64 * 1024;
const utf8 = new TextEncoder();

/**
 * One open event stream. It bounds the data that the peer has not read: past the mark, `isFull` tells the sender to
 * wait or to end the stream. The peer loses nothing, because it resumes with the cursor of the last event that it has
 * read.
 */
export class EventConnection {
  /** The number of the last event that was sent to this peer. */
  position: number;
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #drained: (() => void) | null = null;
  readonly #setIdleTimeout: (seconds: number) => void;
  readonly #ended: (by: "client" | "server") => void;

  /**
   * @param setIdleTimeout sets the idle timeout of the socket; 0 for none
   * @param ended called once, with the side that ended the stream
   */
  constructor(position: number, setIdleTimeout: (seconds: number) => void, ended: (by: "client" | "server") => void) {
    this.position = position;
    this.#setIdleTimeout = setIdleTimeout;
    setIdleTimeout(0);
    this.#ended = ended;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake(),
        cancel: () => this.#over("client"),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER }),
    );
  }

  get isOpen(): boolean {
    return this.#controller !== null;
  }

  /** Whether the peer has more unread data than it may. */
  get isFull(): boolean {
    return (this.#controller?.desiredSize ?? 0) <= 0;
  }

  send(text: string): void {
    this.#controller?.enqueue(utf8.encode(text));
  }

  /** Resolves when the peer has read on or has left. */
  async drained(): Promise<void> {
    while (this.isOpen && this.isFull) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  end(): void {
    const controller = this.#controller;
    if (controller === null) return;
    this.#over("server");
    // A peer that reads nothing could otherwise hold the socket, and with it the process that is to stop, without end.
    this.#setIdleTimeout(1);
    controller.close();
  }

  #over(by: "client" | "server"): void {
    if (this.#controller === null) return;
    this.#controller = null;
    this.#wake();
    this.#ended(by);
  }

  #wake(): void {
    const resolve = this.#drained;
    this.#drained = null;
    resolve?.();
  }
}
