import { AppError, invalidField } from "../core/errors.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "../core/json.ts";

/** The largest body in bytes; no procedure needs more, and none takes files. */
const MAX_BODY = 64 * 1024;

const JSON_TYPE = /^application\/json(?: *; *charset="?utf-8"?)? *$/i;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the JSON of a request. Returns undefined for an empty body.
 * @throws AppError `payload_too_large`, `unsupported_media_type`, `invalid_input`
 */
export async function readJson(request: Request, limit: number = MAX_BODY): Promise<unknown> {
  const bytes = await readBytes(request, limit);
  if (bytes === undefined) return undefined;
  // A form or text/plain needs no preflight, so accepting it as JSON would let any page post here.
  const type = request.headers.get("content-type");
  if (type !== "application/json" && !JSON_TYPE.test(type ?? "")) throw new AppError("unsupported_media_type");
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidField("", "the body is not UTF-8");
  }
  return parseInput(text, "", "the body is not JSON");
}

/**
 * Parses JSON that a client sent.
 * @param path the place that the error names
 * @param reason the fault that the error names
 * @throws AppError `invalid_input`
 */
export function parseInput(text: string, path: string, reason: string): unknown {
  if (isTooDeep(text)) throw invalidField(path, `is nested more than ${MAX_JSON_DEPTH} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidField(path, reason);
  }
  refuseProto(text, value);
  return value;
}

/**
 * Reads the bytes of a request. Returns undefined for an empty body.
 * @throws AppError `payload_too_large`, `unsupported_media_type` for a compressed body, `invalid_input` if the client
 * disconnected
 */
export async function readBytes(request: Request, limit: number = MAX_BODY): Promise<Uint8Array | undefined> {
  const encoding = request.headers.get("content-encoding");
  // An attacker's compressed body could expand to more memory than the limit allows.
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new AppError("unsupported_media_type", { message: "Send the body without Content-Encoding." });
  }
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > limit) throw new AppError("payload_too_large");
  if (length === "0" || request.body === null) return undefined;
  const reading = length === null ? readChunks(request.body, limit) : request.bytes();
  const bytes = await reading.catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    // The client closed the connection. The server is not at fault, and nobody reads the answer.
    throw invalidField("", "the body ended early");
  });
  if (bytes.length === 0) return undefined;
  if (bytes.length > limit) throw new AppError("payload_too_large");
  return bytes;
}

/** Refuses `__proto__`: JSON.parse makes it an own property, and code that copies it later would set a prototype. */
function refuseProto(text: string, value: unknown): void {
  if ((text.includes("__proto__") || text.includes("\\u")) && holdsProto(value)) {
    throw invalidField("__proto__", "is not known here");
  }
}

function holdsProto(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(holdsProto);
}

async function readChunks(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new AppError("payload_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
