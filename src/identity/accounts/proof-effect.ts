/** A mailed proof of an address, and the state of the account that the proof is about. */
export interface ProofFacts {
  /** `confirm` proves the address and does nothing else. `enter` also signs in or sets the password. */
  purpose: "confirm" | "enter";
  /** `new`: the address is not on the account's list yet. */
  address: "new" | "unproven" | "proven";
  /** Whether the account has another proven address. */
  hasOtherProven: boolean;
  /** Whether something has happened since the mail was asked for that ends its request. */
  isOver: boolean;
  /** Whether the proof came with a live session, or a half sign-in, of the same account. */
  isFromAccount: boolean;
}

export type ProofEffect =
  | { refuses: "invalid_code" | "asking_session_required" }
  | { refuses: null; removes: "nothing" | "everything" };

const CONFIRMED: ProofEffect = { refuses: null, removes: "nothing" };

/**
 * Decides what a mailed proof confirms, and what it removes. It is pure, and no other place decides this.
 *
 * The attack (pre-hijacking): a stranger registers with the owner's address, adds ways to sign in, and waits until the owner
 * proves the address. Two facts tell the owner from the stranger. The owner reads the mailbox; the person who set the account up
 * holds its session. A proof with both confirms the account as it is. A proof without the session confirms nothing that was set
 * before it: a mere confirmation is refused, and a proof that enters the account removes everything from before.
 */
export function proofEffect(facts: ProofFacts): ProofEffect {
  const { purpose, address, hasOtherProven, isOver, isFromAccount } = facts;
  // A stranger's account must not get the owner's address by the owner's click.
  if (purpose === "confirm" && !isFromAccount) return { refuses: "asking_session_required" };
  if (isOver) return { refuses: "invalid_code" };
  if (purpose === "enter" && address === "new") return { refuses: "invalid_code" };
  // The address may be mistyped and belong to a stranger, who must not enter the account of a person with a proven address.
  if (purpose === "enter" && address === "unproven" && hasOtherProven) return { refuses: "invalid_code" };
  return address !== "unproven" || isFromAccount ? CONFIRMED : { refuses: null, removes: "everything" };
}
