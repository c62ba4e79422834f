import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import type { FlowsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import {
  consumeFlow,
  countAttempt,
  endEveryFlowOf,
  endFlowsIn,
  endFlowsOf,
  findFlow,
  findMailFlow,
  insertFlow,
  liveFlowsOf,
  moveFlow,
  uncountAttempt,
} from "./store.ts";

export interface FlowStart {
  /** An id from {@link Flows.newId}, if the caller derives something from it first. */
  id?: string;
  tenantId: string;
  applicationId: string;
  userId: string | null;
  /** The capability of the flow. A flow of one kind never counts as another. */
  kind: string;
  step: string;
  state: Record<string, unknown>;
  /** In ms. */
  lifetime: number;
  /** The digest of the mail that this flow sends. */
  mail?: string;
}

/**
 * A flow is a record on the server. Its step names the proofs so far, and a step out of order finds no record to advance. Every
 * change is one conditional UPDATE, so that of two simultaneous requests one is refused.
 */
export class Flows {
  constructor(private readonly clock: Clock) {}

  newId(): string {
    return newId(this.clock.now());
  }

  async start(tx: Executor, start: FlowStart): Promise<string> {
    const now = this.clock.now();
    const id = start.id ?? this.newId();
    await insertFlow(tx, {
      id,
      tenant_id: start.tenantId,
      application_id: start.applicationId,
      user_id: start.userId,
      kind: start.kind,
      step: start.step,
      state: JSON.stringify(start.state),
      attempts: 0,
      created_at: now,
      expires_at: now + start.lifetime,
      consumed_at: null,
      mail: start.mail ?? null,
    });
    return id;
  }

  /** Returns the live flow, or undefined if it is unknown, of another kind, expired or spent. */
  find(at: Executor, id: string, kind: string): Promise<FlowsTable | undefined> {
    return findFlow(at, { id, kind, now: this.clock.now() });
  }

  /** Returns the latest live flow that sent this mail. */
  pendingMail(at: Executor, mail: string): Promise<FlowsTable | undefined> {
    return findMailFlow(at, { mail, now: this.clock.now() });
  }

  /** Returns a user's live flows of one kind, newest first. */
  live(at: Executor, userId: string, kind: string): Promise<FlowsTable[]> {
    return liveFlowsOf(at, { user_id: userId, kind, now: this.clock.now() });
  }

  /** Moves a flow from one step to the next. @returns false when it is not at `from` */
  async advance(
    tx: Executor,
    flow: { id: string; kind: string; from: string; to: string; state: object },
  ): Promise<boolean> {
    const { id, kind, from, to } = flow;
    return (
      (await moveFlow(tx, { id, kind, from, to, state: JSON.stringify(flow.state), now: this.clock.now() })) !==
      undefined
    );
  }

  /** Spends the flow. @returns the record for the first caller, undefined for all others */
  consume(tx: Executor, id: string, kind: string, step: string): Promise<FlowsTable | undefined> {
    return consumeFlow(tx, { id, kind, step, now: this.clock.now() });
  }

  /**
   * Counts one attempt to prove something, so that guessing ends the flow. @returns the live record with the attempt counted,
   * or undefined if there is none or it already had `most` attempts
   */
  attempt(tx: Executor, id: string, kind: string, most: number): Promise<FlowsTable | undefined> {
    return countAttempt(tx, { id, kind, most, now: this.clock.now() });
  }

  /** Gives back an attempt that was counted but guessed nothing. */
  async giveBackAttempt(tx: Executor, id: string, kind: string): Promise<void> {
    await uncountAttempt(tx, { id, kind });
  }

  /**
   * Ends a user's live flows of one kind, because their proofs no longer hold.
   * @param applicationId ends only this application's flows; null ends those of every application
   */
  async endAll(tx: Executor, userId: string, kind: string, applicationId: string | null = null): Promise<void> {
    const ending = { user_id: userId, kind, now: this.clock.now() };
    if (applicationId === null) await endFlowsOf(tx, ending);
    else await endFlowsIn(tx, { ...ending, application_id: applicationId });
  }

  /**
   * Ends a user's live flows of every kind except `kept`: a flow that a stranger began before the password changed must not
   * continue after it. `before` narrows the exception to flows that began before that flow.
   */
  async endEvery(tx: Executor, userId: string, kept: { kind: string; before: string | null }): Promise<void> {
    const { kind, before } = kept;
    // Ids are hexadecimal, so every id sorts before this.
    const keptBefore = before ?? "g";
    await endEveryFlowOf(tx, { user_id: userId, now: this.clock.now(), kept_kind: kind, kept_before: keptBefore });
  }
}
