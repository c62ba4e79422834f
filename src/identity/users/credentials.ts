import type { Executor } from "../../storage/storage.ts";
import type { UserCondition } from "../../storage/user-condition.ts";
import { type AbandonedUser, type Age, abandonedUsers, isStillAbandoned, trueConditions } from "./credentials/store.ts";

/** Reads which credentials of any feature a user holds. */
export class Credentials {
  readonly #conditions: Readonly<Record<string, UserCondition>>;

  /** @param byMethod null for a method without a credential */
  constructor(byMethod: Readonly<Record<string, UserCondition | null>>) {
    const held: Record<string, UserCondition> = {};
    for (const [method, condition] of Object.entries(byMethod)) if (condition) held[method] = condition;
    this.#conditions = held;
  }

  /** Returns the sign-in methods for which a user holds a credential, whether or not an application allows them. One read. */
  methodsOf(at: Executor, userId: string): Promise<ReadonlySet<string>> {
    return trueConditions(at, userId, this.#conditions);
  }

  /** Returns anonymous users who cannot come back, oldest first. */
  abandoned(at: Executor, age: Age, limit: number): Promise<AbandonedUser[]> {
    return abandonedUsers(at, age, Object.values(this.#conditions), limit);
  }

  /** Checks again in the deleting transaction, after it has locked the row. */
  isStillAbandoned(tx: Executor, userId: string, age: Age): Promise<boolean> {
    return isStillAbandoned(tx, userId, age, Object.values(this.#conditions));
  }
}
