import { describe, expect, test } from "bun:test";
import { settings as appSettings, createApp } from "../../../src/app.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { loadSettings } from "../../../src/core/config.ts";
import { generateMasterKey, parseMasterKeys } from "../../../src/crypto/master-key.ts";
import { EventConnection } from "../../../src/http/event-connection.ts";
import { RevocationChannel } from "../../../src/http/revocation-channel.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import { insertRevocation, newestRevocation } from "../../../src/identity/revocations/store.ts";
import { setUp } from "../../../src/identity/setup.ts";
import { openStorage } from "../../../src/storage/open.ts";

/** The appliance holds little for a peer that does not read, however much there is to send. */
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined } as never;

interface Appliance {
  identity: Identity;
  tenantId: string;
}

async function openAppliance(): Promise<Appliance> {
  const storage = await openStorage({ kind: "memory" });
  const app = await createApp({
    settings: loadSettings(appSettings, { env: {}, flags: {} }) as never,
    publicUrl: "http://localhost",
    storage,
    clock: systemClock,
    log: silent,
    masterKeys: parseMasterKeys(generateMasterKey()),
    version: "0.0.0",
  });
  const { tenantId } = await setUp(app.identity, { origins: [] });
  return { identity: app.identity, tenantId };
}

async function revoke({ identity, tenantId }: Appliance, count: number): Promise<void> {
  const now = identity.clock.now();
  await identity.storage.write(async (tx) => {
    for (let index = 0; index < count; index++) {
      const times = { issuedBefore: now + 1_000, expiresAt: now + 1_000_000 };
      await insertRevocation(tx, now, { tenantId, kind: "sid", id: crypto.randomUUID(), ...times });
    }
  });
}

async function openChannel({ identity, tenantId }: Appliance) {
  return new RevocationChannel(identity, tenantId, await newestRevocation(identity.storage.read, tenantId));
}

function connect(channel: RevocationChannel) {
  const ends: string[] = [];
  const connection = new EventConnection(
    0,
    () => undefined,
    () => {
      ends.push("ended");
      channel.leave(connection);
    },
  );
  return { connection, ends };
}

async function drain(body: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of body) text += new TextDecoder().decode(chunk);
  return text;
}

test("the signal names the tenant whose revocation was committed", async () => {
  const appliance = await openAppliance();
  const told: string[] = [];
  appliance.identity.revocationSignal.onCommit((tenantId) => void told.push(tenantId));
  await revoke(appliance, 1);
  expect(told).toEqual([appliance.tenantId]);
  await appliance.identity.storage.close();
});

describe("a peer that does not read", () => {
  test("gets only two pages of missed entries, and is dropped at the second heartbeat", async () => {
    const appliance = await openAppliance();
    await revoke(appliance, 2_000);
    const channel = await openChannel(appliance);
    const { connection, ends } = connect(channel);
    const joining = channel.join(connection);
    await Bun.sleep(50);
    channel.beat();
    expect(connection.isOpen).toBe(true);
    channel.beat();
    await joining;
    expect(ends).toEqual(["ended"]);
    expect(channel.isEmpty).toBe(true);
    const held = await drain(connection.body);
    expect(held.length).toBeLessThan(150_000);
    expect(held).not.toContain(": in step");
    await appliance.identity.storage.close();
  });

  test("that was up to date is dropped once too much is unread, and the others get it all", async () => {
    const appliance = await openAppliance();
    const channel = await openChannel(appliance);
    const [unread, reader] = [connect(channel), connect(channel)];
    await channel.join(unread.connection);
    await channel.join(reader.connection);
    const received = drain(reader.connection.body);
    for (let round = 0; round < 5; round++) {
      await revoke(appliance, 200);
      await channel.advance();
      await Bun.sleep(1);
    }
    expect(unread.ends).toEqual(["ended"]);
    expect(reader.ends).toEqual([]);
    channel.end();
    const ids = [...(await received).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect((await drain(unread.connection.body)).length).toBeLessThan(150_000);
    await appliance.identity.storage.close();
  });

  test("a peer that joins during a broadcast misses nothing and gets nothing twice", async () => {
    const appliance = await openAppliance();
    await revoke(appliance, 450);
    const channel = await openChannel(appliance);
    const { connection } = connect(channel);
    const received = drain(connection.body);
    const joining = channel.join(connection);
    for (let round = 0; round < 20; round++) {
      await revoke(appliance, 3);
      void channel.advance();
    }
    await joining;
    await revoke(appliance, 3);
    await channel.advance();
    channel.end();
    const ids = [...(await received).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 513 }, (_, index) => index + 1));
    await appliance.identity.storage.close();
  });

  test("a peer that was reading during a broadcast reads again", async () => {
    const appliance = await openAppliance();
    const { read } = appliance.identity.storage;
    const held: (() => void)[] = [];
    let isHolding = true;
    // As with a database across a network, the rows are those of the request's time, however late they arrive.
    const all: typeof read.all = async (statement, params) => {
      const rows = await read.all(statement, params);
      if (isHolding) await new Promise<void>((resolve) => held.push(resolve));
      return rows;
    };
    const storage = {
      ...appliance.identity.storage,
      read: {
        kysely: read.kysely,
        all,
        first: read.first.bind(read),
        later: read.later.bind(read),
        atEnd: read.atEnd.bind(read),
      },
    };
    const channel = new RevocationChannel({ ...appliance.identity, storage }, appliance.tenantId, 0);
    const { connection } = connect(channel);
    const received = drain(connection.body);
    const joining = channel.join(connection);
    await Bun.sleep(1);
    isHolding = false;
    await revoke(appliance, 1);
    await channel.advance();
    for (const release of held) release();
    await joining;
    channel.end();
    expect([...(await received).matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(["1"]);
    await appliance.identity.storage.close();
  });

  test("a peer that has read beyond the broadcast gets nothing twice", async () => {
    const appliance = await openAppliance();
    const channel = await openChannel(appliance);
    await revoke(appliance, 2);
    const { connection } = connect(channel);
    const received = drain(connection.body);
    await channel.join(connection);
    await revoke(appliance, 1);
    await channel.advance();
    channel.end();
    expect([...(await received).matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(["1", "2", "3"]);
    await appliance.identity.storage.close();
  });

  test("unreadable storage ends the stream, because silence would mean that nothing is new", async () => {
    const appliance = await openAppliance();
    const channel = await openChannel(appliance);
    const { connection, ends } = connect(channel);
    await channel.join(connection);
    await appliance.identity.storage.close();
    await channel.advance();
    expect(ends).toEqual(["ended"]);
  });
});
