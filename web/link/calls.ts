/** The appliance's refusal; `unreachable` if there was no answer. */
export interface Refusal {
  code: string;
  status: number;
  fields: readonly { path: string; reason: string }[];
  /** Seconds; null if the answer names none. */
  retryAfter: number | null;
}

export type Answer<T> = { ok: true; body: T } | { ok: false; refusal: Refusal };

interface Envelope {
  error?: { code?: string; details?: unknown };
}

const PATIENCE = 20_000;

/** The REST procedures under this page's own path, which includes a tenant's prefix. */
export class Api {
  /** The link's application, once it is known. */
  applicationId: string | null = null;

  constructor(private readonly base: string) {}

  async post<T>(path: `/v1/${string}`, body: object): Promise<Answer<T>> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.applicationId !== null) headers["x-application-id"] = this.applicationId;
    try {
      const response = await fetch(this.base + path, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
        credentials: "same-origin",
        referrerPolicy: "no-referrer",
        signal: patience(),
      });
      if (response.ok) return { ok: true, body: (await response.json()) as T };
      const { error } = (await response.json().catch(() => ({}))) as Envelope;
      const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
      return refused(
        error?.code ?? "internal_error",
        response.status,
        error?.details,
        Number.isFinite(wait) ? wait : null,
      );
    } catch {
      return refused("unreachable", 0, null, null);
    }
  }
}

function refused(code: string, status: number, details: unknown, retryAfter: number | null): Answer<never> {
  const fields = Array.isArray(details) ? (details as Refusal["fields"]) : [];
  return { ok: false, refusal: { code, status, fields, retryAfter } };
}

/** A signal that fires after a time, also in browsers that have no `AbortSignal.timeout` (before Chrome 103 and Safari 16). */
function patience(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), PATIENCE);
  return controller.signal;
}
