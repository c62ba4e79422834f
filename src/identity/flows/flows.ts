import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import type { FlowsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { consumeFlow, countAttempt, endEveryFlowOf, endFlowsOf, findFlow, insertFlow, moveFlow } from "./store.ts";

export interface FlowStart {
  /** From {@link Flows.newId}, where something is derived from it first. */
  id?: string;
  tenantId: string;
  applicationId: string;
  userId: string | null;
  /** Which capability it belongs to: a flow of one kind is no flow of another. */
  kind: string;
  step: string;
  state: Record<string, unknown>;
  /** Milliseconds. */
  lifetime: number;
}

/**
 * A flow is a record on the server: its step names what has been proven, and a step out of order finds no record to move.
 * Every move is one conditional UPDATE, so that of two that come at once one is refused.
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
    });
    return id;
  }

  /** The live flow, or undefined: unknown, of another kind, expired, spent. */
  find(at: Executor, id: string, kind: string): Promise<FlowsTable | undefined> {
    return findFlow(at, { id, kind, now: this.clock.now() });
  }

  /** From one step to the next. @returns false when it was not at `from` (any more) */
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

  /** Spends it. @returns the record once, and undefined to everybody else */
  consume(tx: Executor, id: string, kind: string, step: string): Promise<FlowsTable | undefined> {
    return consumeFlow(tx, { id, kind, step, now: this.clock.now() });
  }

  /**
   * Counts one attempt to prove something. @returns the live record with the attempt counted, or undefined when there is none
   * or it has had its `most`: whoever guesses ends the flow
   */
  attempt(tx: Executor, id: string, kind: string, most: number): Promise<FlowsTable | undefined> {
    return countAttempt(tx, { id, kind, most, now: this.clock.now() });
  }

  /** Ends the live flows of one kind of a user: what they have proven so far no longer holds. */
  async endAll(tx: Executor, userId: string, kind: string): Promise<void> {
    await endFlowsOf(tx, { user_id: userId, kind, now: this.clock.now() });
  }

  /**
   * Ends a user's live flows of every kind but `kept`: what a stranger began before the password changed must not go on
   * after it. `before` keeps only those that began before that flow.
   */
  async endEvery(tx: Executor, userId: string, kept: { kind: string; before: string | null }): Promise<void> {
    const { kind, before } = kept;
    // Ids are hexadecimal: every one sorts before this.
    const keptBefore = before ?? "g";
    await endEveryFlowOf(tx, { user_id: userId, now: this.clock.now(), kept_kind: kind, kept_before: keptBefore });
  }
}
