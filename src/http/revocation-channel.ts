import type { Identity } from "../identity/identity.ts";
import { listRevocations } from "../identity/revocations/public.ts";
import type { EventConnection } from "./event-connection.ts";
import { wireEntry } from "./revocations.ts";

/** Entries per read: some 40 kB of events, which a peer may leave unread in addition to the mark. */
const PAGE = 200;

type Row = Awaited<ReturnType<typeof listRevocations>>[number];

/**
 * The listeners to one tenant's revocations. One read of the table serves all of them, however often the channel is
 * woken.
 */
export class RevocationChannel {
  readonly #live = new Set<EventConnection>();
  readonly #joining = new Map<EventConnection, number>();
  #running = false;
  #again = false;

  /** @param position the number of the last entry that all live listeners have */
  constructor(
    private readonly identity: Pick<Identity, "clock" | "storage">,
    private readonly tenantId: string,
    private position: number,
  ) {}

  get isEmpty(): boolean {
    return this.#live.size === 0 && this.#joining.size === 0;
  }

  /**
   * Sends the entries that the peer has missed, then new ones. A comment line says that the peer has everything so far.
   */
  async join(connection: EventConnection): Promise<void> {
    this.#joining.set(connection, -1);
    try {
      for (;;) {
        const before = this.position;
        const rows = await this.#read(connection.position);
        deliver(connection, rows);
        await connection.drained();
        if (!connection.isOpen) return;
        // An entry that the other listeners got during this read may be missing from it.
        if (rows.length < PAGE && this.position === before) break;
      }
      this.#live.add(connection);
      connection.send(": in step\n\n");
    } catch {
      connection.end();
    } finally {
      this.#joining.delete(connection);
    }
  }

  leave(connection: EventConnection): void {
    this.#live.delete(connection);
  }

  /**
   * Sends new entries to all listeners. Ends the streams if storage cannot be read: silence would mean "nothing new".
   */
  async advance(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#again) {
        this.#again = false;
        const rows = await this.#read(this.position);
        this.position = rows.at(-1)?.seq ?? this.position;
        this.#again ||= rows.length === PAGE;
        for (const connection of this.#live) deliver(connection, rows);
        for (const connection of this.#live) if (connection.isFull) connection.end();
      }
    } catch {
      this.end();
    } finally {
      this.#running = false;
    }
  }

  /** Sends a sign of life, and ends a joining stream that has not read a single page since the last beat. */
  beat(): void {
    for (const connection of this.#live) connection.send(":\n\n");
    for (const [connection, seen] of this.#joining) {
      if (connection.position === seen) connection.end();
      else this.#joining.set(connection, connection.position);
    }
  }

  end(): void {
    for (const connection of [...this.#live, ...this.#joining.keys()]) connection.end();
  }

  #read(after: number): Promise<Row[]> {
    return listRevocations(this.identity.storage.read, this.tenantId, after, this.identity.clock.now(), PAGE);
  }
}

function deliver(connection: EventConnection, rows: readonly Row[]): void {
  let text = "";
  for (const row of rows) {
    if (row.seq <= connection.position) continue;
    text += `id: ${row.seq}\nevent: revocation\ndata: ${JSON.stringify(wireEntry(row))}\n\n`;
  }
  if (text === "") return;
  connection.send(text);
  connection.position = rows.at(-1)?.seq ?? connection.position;
}
