/** The queries that other folders may run. The rest of the store is private to this folder. */
export {
  deleteSessionsOf,
  distrustSessions,
  endEverySessionRow,
  endReasonOf,
  findSession,
  findSessionOf,
  isLiveSession,
  pageOfApplication,
  pageOfSessions,
  refreshesOf,
  type SessionBundle,
  sessionsOf,
} from "./store.ts";
