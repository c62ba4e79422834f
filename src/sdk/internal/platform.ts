/**
 * Types of the platform's fetch. A consumer's compiler knows them from the DOM's types, or from those of Node, Bun or Deno. One
 * that has only the language's own types (`lib: ["es2022"]`) gets the parts that this package promises.
 */
export type PlatformHeaders = typeof globalThis extends { Headers: { prototype: infer T } } ? T : HeadersPart;

export type PlatformRequest = typeof globalThis extends { Request: { prototype: infer T } } ? T : RequestPart;

export type PlatformResponse = typeof globalThis extends { Response: { prototype: infer T } } ? T : ResponsePart;

export type PlatformUrl = typeof globalThis extends { URL: { prototype: infer T } } ? T : UrlPart;

export type PlatformForm = typeof globalThis extends { URLSearchParams: { prototype: infer T } } ? T : FormPart;

export type PlatformSignal = typeof globalThis extends { AbortSignal: { prototype: infer T } } ? T : SignalPart;

export type PlatformInit = typeof globalThis extends { fetch: (input: never, init?: infer T) => unknown }
  ? NonNullable<T>
  : InitPart;

interface HeadersPart {
  get(name: string): string | null;
}

interface RequestPart {
  readonly method: string;
  readonly url: string;
  readonly headers: HeadersPart;
}

interface ResponsePart {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: HeadersPart;
  readonly body: unknown;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

interface UrlPart {
  readonly href: string;
  readonly origin: string;
}

interface SignalPart {
  readonly aborted: boolean;
}

interface FormPart {
  toString(): string;
}

interface InitPart {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}
