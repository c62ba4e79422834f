import { sql } from "kysely";
import type { FlowsTable } from "../../storage/schema.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

export async function insertFlow(tx: Executor, row: FlowsTable): Promise<void> {
  await tx.kysely.insertInto("flows").values(row).execute();
}

type Find = { id: string; kind: string; now: number };
const live = prepared((db, p: Param<Find>) =>
  db
    .selectFrom("flows")
    .selectAll()
    .where("id", "=", p("id"))
    .where("kind", "=", p("kind"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now")),
);
export const findFlow = (at: Executor, params: Find) => at.first(live, params);

const byMail = prepared((db, p: Param<{ mail: string; now: number }>) =>
  db
    .selectFrom("flows")
    .selectAll()
    .where("mail", "=", p("mail"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now"))
    .orderBy("id", "desc")
    .limit(1),
);
export const findMailFlow = (at: Executor, params: { mail: string; now: number }) => at.first(byMail, params);

const liveOfUser = prepared((db, p: Param<{ user_id: string; kind: string; now: number }>) =>
  db
    .selectFrom("flows")
    .selectAll()
    .where("user_id", "=", p("user_id"))
    .where("kind", "=", p("kind"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now"))
    .orderBy("id", "desc")
    .limit(10),
);
export const liveFlowsOf = (at: Executor, params: { user_id: string; kind: string; now: number }) =>
  at.all(liveOfUser, params);

type Move = Find & { from: string; to: string; state: string };
const move = prepared((db, p: Param<Move>) =>
  db
    .updateTable("flows")
    .set({ step: p("to"), state: p("state") })
    .where("id", "=", p("id"))
    .where("kind", "=", p("kind"))
    .where("step", "=", p("from"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now"))
    .returning("id"),
);
export const moveFlow = (tx: Executor, params: Move) => tx.first(move, params);

type Consume = Find & { step: string };
const consume = prepared((db, p: Param<Consume>) =>
  db
    .updateTable("flows")
    .set({ consumed_at: p("now") })
    .where("id", "=", p("id"))
    .where("kind", "=", p("kind"))
    .where("step", "=", p("step"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now"))
    .returningAll(),
);
export const consumeFlow = (tx: Executor, params: Consume) => tx.first(consume, params);

type Count = Find & { most: number };
const count = prepared((db, p: Param<Count>) =>
  db
    .updateTable("flows")
    .set((eb) => ({ attempts: eb("attempts", "+", 1) }))
    .where("id", "=", p("id"))
    .where("kind", "=", p("kind"))
    .where("attempts", "<", p("most"))
    .where("consumed_at", "is", null)
    .where("expires_at", ">", p("now"))
    .returningAll(),
);
export const countAttempt = (tx: Executor, params: Count) => tx.first(count, params);

const uncount = prepared((db, p: Param<{ id: string; kind: string }>) =>
  db
    .updateTable("flows")
    .set((eb) => ({ attempts: eb("attempts", "-", 1) }))
    .where("id", "=", p("id"))
    .where("kind", "=", p("kind"))
    .where("attempts", ">", 0)
    .returning("id"),
);
export const uncountAttempt = (tx: Executor, params: { id: string; kind: string }) => tx.first(uncount, params);

type EndOfUser = { user_id: string; kind: string; now: number };
const endOfUser = prepared((db, p: Param<EndOfUser>) =>
  db
    .updateTable("flows")
    .set({ consumed_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("kind", "=", p("kind"))
    .where("consumed_at", "is", null),
);
export const endFlowsOf = (tx: Executor, params: EndOfUser) => tx.all(endOfUser, params);

type EndInApplication = EndOfUser & { application_id: string };
const endInApplication = prepared((db, p: Param<EndInApplication>) =>
  db
    .updateTable("flows")
    .set({ consumed_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("application_id", "=", p("application_id"))
    .where("kind", "=", p("kind"))
    .where("consumed_at", "is", null),
);
export const endFlowsIn = (tx: Executor, params: EndInApplication) => tx.all(endInApplication, params);

type EndEvery = { user_id: string; now: number; kept_kind: string; kept_before: string };
const endEvery = prepared((db, p: Param<EndEvery>) =>
  db
    .updateTable("flows")
    .set({ consumed_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("consumed_at", "is", null)
    .where((eb) => eb.or([eb("kind", "!=", p("kept_kind")), eb("id", ">=", p("kept_before"))])),
);
export const endEveryFlowOf = (tx: Executor, params: EndEvery) => tx.all(endEvery, params);

/** The kinds of flows that end in a session of an existing user. */
export const SIGN_IN_KINDS: readonly string[] = ["sign_in", "mfa"];

/** Ends the sign-ins of every user that are under way. */
export async function endEverySignIn(tx: Executor, now: number): Promise<void> {
  await tx.kysely
    .updateTable("flows")
    .set({ consumed_at: now })
    .where("kind", "in", SIGN_IN_KINDS)
    .where("consumed_at", "is", null)
    .execute();
}

export async function deleteFlowsOf(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("flows").where("user_id", "=", userId).execute();
}

export function purgeFlows(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "flows", sql`expires_at < ${before}`, limit);
}
