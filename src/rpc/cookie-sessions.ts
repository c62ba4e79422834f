import { AppError } from "../core/errors.ts";
import type { Application } from "../identity/applications/application.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccessToken } from "../identity/sessions/access-tokens.ts";
import { findSession, isLiveSession, type SessionBundle } from "../identity/sessions/public.ts";
import type { Call } from "./call.ts";

export type SessionSources = Pick<Identity, "accessTokens" | "clock" | "devices" | "refreshService" | "storage">;

/** A cookie's token, and the session that it names. Of two, the one with the higher rank is newer. */
interface Candidate {
  token: string;
  session: SessionBundle;
  rank: number;
}

/**
 * Chooses among several cookies of one name. A browser comes to hold them when a cookie's path or domain changes, and a sibling
 * host can plant one that is sent first. So every value is tried, and a dead one does no harm. If the live ones belong to one
 * user, the newest wins. If they belong to two, one of them may be an attacker's (session fixation): the device cookie, which
 * no sibling host can plant under https, decides, and otherwise none of them counts.
 */
export class CookieSessions {
  constructor(private readonly sources: SessionSources) {}

  /** Returns the access token to check. @throws AppError `authentication_required` */
  async access(call: Call, application: Application): Promise<string> {
    const { access } = call.cookies(application);
    const [first] = access;
    if (first === undefined) throw new AppError("authentication_required");
    if (access.length === 1) return first;
    const live = (await this.#byAccess(access, application, false)).filter(({ session }) => this.#isLive(session));
    const chosen = await this.#choose(call, application, live);
    if (chosen) return chosen.token;
    if (live.length > 0) throw ambiguous("authentication_required");
    return first;
  }

  /** Returns the refresh token to spend, or null without a cookie. @throws AppError `invalid_credentials` */
  async refresh(call: Call, application: Application): Promise<string | null> {
    const { refresh } = call.cookies(application);
    const [first = null] = refresh;
    if (refresh.length < 2) return first;
    const live = (await this.#byRefresh(refresh, application)).filter(({ session }) => this.#isLive(session));
    const chosen = await this.#choose(call, application, live);
    if (chosen) return chosen.token;
    if (live.length > 0) throw ambiguous("invalid_credentials");
    return first;
  }

  /** Returns the session that the cookies name, to end it. The tokens may have expired. */
  async ending(call: Call, application: Application): Promise<SessionBundle | null> {
    const { access, refresh } = call.cookies(application);
    for (const found of [
      await this.#byAccess(access, application, true),
      await this.#byRefresh(refresh, application),
    ]) {
      const live = found.filter(({ session }) => this.#isLive(session));
      const chosen = (await this.#choose(call, application, live)) ?? live[0] ?? found[0];
      if (chosen) return chosen.session;
    }
    return null;
  }

  async #byAccess(tokens: readonly string[], application: Application, expired: boolean): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for (const token of tokens) {
      const verified = await this.#verified(token, expired);
      const session = verified && (await findSession(this.sources.storage.read, verified.sid));
      if (!session || !isAbout(verified, session) || session.application_id !== application.id) continue;
      found.push({ token, session, rank: verified.issuedAt });
    }
    return newestFirst(found);
  }

  async #byRefresh(tokens: readonly string[], application: Application): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for (const token of tokens) {
      const named = await this.sources.refreshService.named(token);
      if (named?.session.application_id !== application.id) continue;
      found.push({ token, session: named.session, rank: named.generation });
    }
    return newestFirst(found);
  }

  async #verified(token: string, expired: boolean): Promise<AccessToken | null> {
    try {
      return await this.sources.accessTokens.verify(token, { expired });
    } catch (error) {
      if (error instanceof AppError) return null;
      throw error;
    }
  }

  /** Returns null if there is none, or if they belong to several users of whom the device does not know exactly one. */
  async #choose(call: Call, application: Application, live: readonly Candidate[]): Promise<Candidate | null> {
    const [newest = null] = live;
    const users = new Set(live.map(({ session }) => session.user_id));
    if (users.size < 2) return newest;
    const { clock, devices, storage } = this.sources;
    const { device } = call.cookies(application);
    const known: string[] = [];
    for (const id of users) if (await devices.knows(storage.read, id, device, clock.now())) known.push(id);
    return known.length === 1 ? (live.find(({ session }) => session.user_id === known[0]) ?? null) : null;
  }

  #isLive(session: SessionBundle): boolean {
    return isLiveSession(session, this.sources.clock.now());
  }
}

/**
 * Whether the token belongs to its session. So a leaked signing key reaches only sessions of its own tenant's
 * applications.
 */
export function isAbout(token: AccessToken, session: SessionBundle): boolean {
  return session.user_id === token.sub && session.application_id === token.applicationId;
}

/** By sign-in, and then by token: a session's newest refresh token is good, and its older ones look like stolen copies. */
function newestFirst(found: readonly Candidate[]): Candidate[] {
  return found.toSorted(
    (one, other) => other.session.authenticated_at - one.session.authenticated_at || other.rank - one.rank,
  );
}

function ambiguous(code: "authentication_required" | "invalid_credentials"): AppError {
  return new AppError(code, { message: "The browser sent the sessions of two users. Sign in again." });
}
