/** One server-sent event, or the comment line that shows that the server is alive. */
export type StreamEvent = { comment: true } | { comment: false; event: string; data: string; id: string | null };

/** Characters of one event. The appliance's have about 200; a far longer one is an attack on memory. */
const MAX_EVENT = 8_192;

/**
 * Reads the parts of `text/event-stream` (WHATWG HTML section 9.2.6) that are needed here: `event`, `data`, `id`, comments.
 * @throws Error for an event that is too long, and any error of `chunks`
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  let fields = { event: "message", data: [] as string[], id: null as string | null };
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = lineEnd(text); end !== null; end = lineEnd(text)) {
      const line = text.slice(0, end.at);
      text = text.slice(end.next);
      size += line.length;
      if (line === "") {
        if (fields.data.length > 0) yield { comment: false, ...fields, data: fields.data.join("\n") };
        fields = { event: "message", data: [], id: null };
        size = 0;
        continue;
      }
      if (line.startsWith(":")) {
        yield { comment: true };
        continue;
      }
      const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (name === "event") fields.event = value;
      else if (name === "data") fields.data.push(value);
      else if (name === "id" && !value.includes("\0")) fields.id = value;
    }
    if (size + text.length > MAX_EVENT) throw new Error("event too long");
  }
}

/** A line ends with CR, LF or both; the LF of a CR at the end of a chunk may come with the next. */
function lineEnd(text: string): { at: number; next: number } | null {
  const at = text.search(/[\r\n]/);
  if (at < 0 || (text[at] === "\r" && at === text.length - 1)) return null;
  return { at, next: text.startsWith("\r\n", at) ? at + 2 : at + 1 };
}
