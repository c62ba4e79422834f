import type { Dialect } from "kysely";
import { Kysely } from "kysely";
import type { Database } from "./schema.ts";
import type { Params, Prepared, Value } from "./storage.ts";

/** The text of a statement, and a function that fills in its parameters. */
export interface CompiledStatement {
  readonly sql: string;
  /** Returns the values in the order in which the text names them. @throws Error when a parameter is missing */
  bind(params: Params): Value[];
}

/** Takes the place of a value while Kysely builds the statement. */
class Slot {
  constructor(readonly name: string) {}
}

// A statement with any parameters and rows. Its types are for the callers; no code here reads them.
type AnyPrepared = Prepared<never, never>;

/** Builds each prepared statement once, for one dialect. */
export class StatementCompiler {
  readonly #kysely: Kysely<Database>;
  readonly #compiled = new WeakMap<object, CompiledStatement>();

  constructor(dialect: Dialect) {
    this.#kysely = new Kysely<Database>({ dialect });
  }

  compile<P extends Params, R>(statement: Prepared<P, R>): CompiledStatement {
    const known = this.#compiled.get(statement);
    if (known) return known;
    const build = statement.build as unknown as AnyPrepared["build"];
    const slots = (name: string) => new Slot(name) as never;
    const { sql, parameters } = build(this.#kysely, slots as never).compile();
    const compiled = { sql, bind: binder(parameters) };
    this.#compiled.set(statement, compiled);
    return compiled;
  }
}

function binder(parameters: readonly unknown[]): (params: Params) => Value[] {
  const count = parameters.length;
  return (params) => {
    const values = new Array<Value>(count);
    for (let i = 0; i < count; i++) {
      const parameter = parameters[i];
      if (parameter instanceof Slot) {
        const value = params[parameter.name];
        if (value === undefined) throw new Error(`the statement's parameter ${parameter.name} has no value`);
        values[i] = value;
      } else values[i] = parameter as Value;
    }
    return values;
  };
}
