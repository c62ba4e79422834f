import { type Expression, expressionBuilder, type SqlBool } from "kysely";
import type { Database } from "./schema.ts";

/** A condition on a user that a store contributes to another store's query, so that many users are asked in one statement. */
export type UserCondition = (userId: Expression<string>) => Expression<SqlBool>;

/** For a condition that stands in no query yet. */
export const conditions = () => expressionBuilder<Database>();
