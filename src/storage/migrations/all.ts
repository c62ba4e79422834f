import type { Migration } from "../columns.ts";
import { foundation } from "./0001-foundation.ts";
import { management } from "./0002-management.ts";
import { machines } from "./0003-machines.ts";
import { people } from "./0004-people.ts";
import { tokenLives } from "./0005-token-lives.ts";
import { devices } from "./0006-devices.ts";
import { sessionPolicy } from "./0007-session-policy.ts";
import { devicesByCookie } from "./0008-devices-by-cookie.ts";
import { pendingMails } from "./0009-pending-mails.ts";
import { withdrawnKeys } from "./0010-withdrawn-keys.ts";
import { keyDescent } from "./0011-key-descent.ts";
import { standIns } from "./0012-stand-ins.ts";
import { formerEmails } from "./0013-former-emails.ts";
import { retentionIndexes } from "./0014-retention-indexes.ts";

/** All migrations, append-only. Imported statically, because the executable has no directory to read. */
export const migrations: readonly Migration[] = [
  foundation,
  management,
  machines,
  people,
  tokenLives,
  devices,
  sessionPolicy,
  devicesByCookie,
  pendingMails,
  withdrawnKeys,
  keyDescent,
  standIns,
  formerEmails,
  retentionIndexes,
];
