import type { Identity } from "../identity/identity.ts";
import { listRevocations } from "../identity/revocations/public.ts";
import type { EventConnection } from "./event-connection.ts";
import { wireEntry } from "./revocations.ts";

/** Entries read at a time: some 40 kB of events, which is what a peer can leave unread beside the mark. */
const PAGE = 200;

type Row = Awaited<ReturnType<typeof listRevocations>>[number];

/** Those who listen to one tenant's revocations. The table is read once for all of them, whoever wakes the channel. */
export class RevocationChannel {
  readonly #live = new Set<EventConnection>();
  readonly #joining = new Map<EventConnection, number>();
  #running = false;
  #again = false;

  /** @param position the number up to which `advance` has nothing to tell */
  constructor(
    private readonly identity: Pick<Identity, "clock" | "storage">,
    private readonly tenantId: string,
    private position: number,
  ) {}

  get isEmpty(): boolean {
    return this.#live.size === 0 && this.#joining.size === 0;
  }

  /** Sends what the peer has missed, then what comes. A comment line tells that there is nothing that it has not got. */
  async join(connection: EventConnection): Promise<void> {
    this.#joining.set(connection, -1);
    try {
      for (;;) {
        const before = this.position;
        const rows = await this.#read(connection.position);
        deliver(connection, rows);
        await connection.drained();
        if (!connection.isOpen) return;
        // What the others were told during the read may lie beyond it.
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

  /** Tells everybody what is new. Storage that cannot be read ends the streams: silence would pass for "nothing new". */
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

  /** A sign of life; and who has not read a single page since the last one is let go. */
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
