import { type Expression, expressionBuilder, type SqlBool } from "kysely";
import type { Database } from "./schema.ts";

/** A condition on a user that one store adds to another store's query, so that one statement checks many users. */
export type UserCondition = (userId: Expression<string>) => Expression<SqlBool>;

/** Builds expressions outside of a query. */
export const conditions = () => expressionBuilder<Database>();
