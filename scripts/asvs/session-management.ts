import type { Requirement } from "./requirement.ts";

const GUIDE = "web/docs/sessions.md";

/** Chapter V7. */
export const sessionManagement: readonly Requirement[] = [
  {
    id: "7.1.1",
    level: 2,
    title: "The documentation gives idle and absolute lifetimes, with reasons",
    documented: { file: GUIDE, section: "How long a session lasts" },
  },
  {
    id: "7.1.2",
    level: 2,
    title: "The documentation says how many sessions an account may have",
    documented: { file: GUIDE, section: "How long a session lasts" },
  },
  {
    id: "7.1.3",
    level: 2,
    title: "The documentation describes sessions that span several systems",
    documented: { file: GUIDE, section: "How long a session lasts" },
    note: "Today: sessions of several applications, and external verifiers. Single sign-on and federation will add the rest.",
  },
  { id: "7.2.1", level: 1, title: "Tokens are verified on the server" },
  { id: "7.2.2", level: 1, title: "Session tokens are generated, and are not fixed secrets" },
  {
    id: "7.2.3",
    level: 1,
    title: "Reference tokens are random",
    left: {
      because: "not applicable",
      why: "signed tokens and a refresh token under an HMAC of 256 bits carry a session; no reference stands for a session",
    },
  },
  { id: "7.2.4", level: 1, title: "Each sign-in and re-authentication starts a new session and ends the old one" },
  { id: "7.3.1", level: 2, title: "An idle session ends" },
  { id: "7.3.2", level: 2, title: "Every session ends after some time" },
  { id: "7.4.1", level: 1, title: "An ended session is refused everywhere" },
  { id: "7.4.2", level: 1, title: "A disabled or deleted account has no sessions" },
  { id: "7.4.3", level: 2, title: "A changed factor ends the other sessions" },
  { id: "7.4.4", level: 2, title: "Signing out is easy to find" },
  { id: "7.4.5", level: 2, title: "Administrators can end sessions" },
  { id: "7.5.1", level: 2, title: "A change of credentials requires a fresh sign-in" },
  { id: "7.5.2", level: 2, title: "People see and end their sessions" },
  { id: "7.5.3", level: 3, title: "Sensitive actions require another proof" },
  {
    id: "7.6.1",
    level: 2,
    title: "Sessions here and at an identity provider end as documented",
    left: { because: "comes later", why: "comes with federation and the hosted pages" },
  },
  {
    id: "7.6.2",
    level: 2,
    title: "No session begins without an action of the person",
    left: {
      because: "comes later",
      why: "today every session begins with a proof by the person; sessions that begin automatically (single sign-on) come with the hosted pages",
    },
  },
];
