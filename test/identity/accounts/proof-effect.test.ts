import { expect, test } from "bun:test";
import { type ProofFacts, proofEffect } from "../../../src/identity/accounts/proof-effect.ts";

type Row = [
  purpose: ProofFacts["purpose"],
  address: ProofFacts["address"],
  hasOtherProven: boolean | "either",
  isOver: boolean | "either",
  isFromAccount: boolean | "either",
  effect: "invalid_code" | "asking_session_required" | "confirms" | "confirms and removes everything",
];

/** Every combination of the facts fits exactly one row. */
const TABLE: Row[] = [
  ["confirm", "new", "either", "either", false, "asking_session_required"],
  ["confirm", "unproven", "either", "either", false, "asking_session_required"],
  ["confirm", "proven", "either", "either", false, "asking_session_required"],
  ["confirm", "new", "either", false, true, "confirms"],
  ["confirm", "new", "either", true, true, "invalid_code"],
  ["confirm", "unproven", "either", false, true, "confirms"],
  ["confirm", "unproven", "either", true, true, "invalid_code"],
  ["confirm", "proven", "either", false, true, "confirms"],
  ["confirm", "proven", "either", true, true, "invalid_code"],
  ["enter", "new", "either", "either", "either", "invalid_code"],
  ["enter", "unproven", true, "either", "either", "invalid_code"],
  ["enter", "unproven", false, true, "either", "invalid_code"],
  ["enter", "unproven", false, false, true, "confirms"],
  ["enter", "unproven", false, false, false, "confirms and removes everything"],
  ["enter", "proven", "either", false, "either", "confirms"],
  ["enter", "proven", "either", true, "either", "invalid_code"],
];

const BOOLEANS = [false, true];
const CASES = (["confirm", "enter"] as const).flatMap((purpose) =>
  (["new", "unproven", "proven"] as const).flatMap((address) =>
    BOOLEANS.flatMap((hasOtherProven) =>
      BOOLEANS.flatMap((isOver) =>
        BOOLEANS.map((isFromAccount) => ({ purpose, address, hasOtherProven, isOver, isFromAccount })),
      ),
    ),
  ),
);

function expected(facts: ProofFacts): Row[5] {
  const fits = (cell: unknown, fact: unknown) => cell === "either" || cell === fact;
  const rows = TABLE.filter(
    ([purpose, address, hasOtherProven, isOver, isFromAccount]) =>
      purpose === facts.purpose &&
      address === facts.address &&
      fits(hasOtherProven, facts.hasOtherProven) &&
      fits(isOver, facts.isOver) &&
      fits(isFromAccount, facts.isFromAccount),
  );
  const [row] = rows;
  if (!row || rows.length > 1) throw new Error(`${rows.length} rows for ${JSON.stringify(facts)}`);
  return row[5];
}

test.each(CASES)("a proof has the effect that the table says: %j", (facts) => {
  const effect = proofEffect(facts);
  const words = effect.refuses ?? (effect.removes === "everything" ? "confirms and removes everything" : "confirms");
  expect(words).toBe(expected(facts));
});
