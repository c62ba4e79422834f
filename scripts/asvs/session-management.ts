import type { Requirement } from "./requirement.ts";

const GUIDE = "web/docs/sessions.md";

/** Chapter V7. */
export const sessionManagement: readonly Requirement[] = [
  {
    id: "7.1.1",
    level: 2,
    title: "Idle and absolute lifetimes are written down, with reasons",
    documented: { file: GUIDE, section: "How long a session lasts" },
  },
  {
    id: "7.1.2",
    level: 2,
    title: "How many sessions one account may have is written down",
    documented: { file: GUIDE, section: "How long a session lasts" },
  },
  {
    id: "7.1.3",
    level: 2,
    title: "Sessions that hang together across systems are written down",
    documented: { file: GUIDE, section: "How long a session lasts" },
    note: "What there is today: sessions of several applications, verifiers elsewhere. Single sign-on and federation bring the rest.",
  },
  { id: "7.2.1", level: 1, title: "Tokens are verified on the server" },
  { id: "7.2.2", level: 1, title: "Session tokens are made anew, not fixed secrets" },
  {
    id: "7.2.3",
    level: 1,
    title: "Reference tokens are random",
    left: {
      because: "not applicable",
      why: "sessions are carried by signed tokens and a refresh token under an HMAC of 256 bits; no reference stands for a session",
    },
  },
  { id: "7.2.4", level: 1, title: "Each sign-in and re-authentication gives a new session and ends the old one" },
  { id: "7.3.1", level: 2, title: "An idle session ends" },
  { id: "7.3.2", level: 2, title: "Every session ends after some time" },
  { id: "7.4.1", level: 1, title: "A session that has ended is good for nothing" },
  { id: "7.4.2", level: 1, title: "A disabled or deleted account has no sessions" },
  { id: "7.4.3", level: 2, title: "A changed factor ends the other sessions" },
  { id: "7.4.4", level: 2, title: "Signing out is easy to find" },
  { id: "7.4.5", level: 2, title: "Administrators can end sessions" },
  { id: "7.5.1", level: 2, title: "Changing what one signs in with asks for a fresh sign-in" },
  { id: "7.5.2", level: 2, title: "People see and end their sessions" },
  { id: "7.5.3", level: 3, title: "Sensitive acts ask for another proof" },
  {
    id: "7.6.1",
    level: 2,
    title: "Sessions here and at an identity provider end as documented",
    left: { because: "comes later", why: "comes with federation and the hosted pages" },
  },
  {
    id: "7.6.2",
    level: 2,
    title: "No session begins without an act of the person",
    left: {
      because: "comes later",
      why: "every session of today begins with a proof that is given; sessions that begin by themselves (single sign-on) come with the hosted pages",
    },
  },
];
