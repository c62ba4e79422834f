import { describe, expect, test } from "bun:test";
import { readEvents, type StreamEvent } from "../../../src/sdk/server/event-stream.ts";

async function* chunked(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function read(text: string, size = text.length + 1): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of readEvents(chunked(text, size))) events.push(event);
  return events;
}

const event = (data: string, id: string | null = null, name = "message") => ({ comment: false, event: name, data, id });
const comment = { comment: true };

describe("server-sent events", () => {
  test.each<[string, string, unknown[]]>([
    ["an event", "id: 7\nevent: revocation\ndata: {}\n\n", [event("{}", "7", "revocation")]],
    ["with CR LF", "id: 7\r\ndata: a\r\n\r\n", [event("a", "7")]],
    ["with CR", "data: a\r\rdata: b\r\r\n", [event("a"), event("b")]],
    ["several lines of data", "data: a\ndata\ndata:b\n\n", [event("a\n\nb")]],
    ["a comment", ":\n\n: in step\n\n", [comment, comment]],
    ["a comment within an event", "data: a\n: b\ndata: c\n\n", [comment, event("a\nc")]],
    ["without data there is no event", "id: 1\nevent: x\n\n", []],
    ["retry and unknown fields", "retry: 2000\nfoo: bar\n\ndata: x: y\n\n", [event("x: y")]],
    ["an unfinished event", "data: a\n", []],
    ["other alphabets", "data: žluťoučký 🐎\n\n", [event("žluťoučký 🐎")]],
    ["an id with NUL", "id: a\0b\ndata: c\n\n", [event("c")]],
  ])("%s, in any chunks", async (_name, text, expected) => {
    expect(await read(text)).toEqual(expected as StreamEvent[]);
    for (const size of [1, 2, 3, 7]) expect(await read(text, size)).toEqual(expected as StreamEvent[]);
  });

  test.each([
    ["an endless line", `data: ${"a".repeat(9_000)}`],
    ["an endless event", "data: a\n".repeat(2_000)],
    ["an event of empty comments", ":aaaaaaa\n".repeat(2_000)],
  ])("gives up on %s", async (_name, text) => {
    expect(read(text, 100)).rejects.toThrow("too long");
  });
});
