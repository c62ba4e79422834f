export type { SallyportErrorType, SallyportLocalCode } from "../internal/errors.ts";
export { SallyportError } from "../internal/errors.ts";
export type { Fetch } from "../internal/http.ts";
export type * from "./api.gen.ts";
export type { AppRouter, ErrorShape } from "./app-router.ts";
export type { ClientOptions, GetAccessToken } from "./create-client.ts";
export { createClient } from "./create-client.ts";
export type { SallyportSession, SessionOptions } from "./session/create-session.ts";
export { createSession } from "./session/create-session.ts";
export type {
  HalfSignIn,
  SecondFactorMethods,
  SecondFactorProof,
  StepUpProof,
} from "./session/second-factors.ts";
export type { HeadersInput, SessionLink } from "./session/session-link.ts";
export type {
  MailProof,
  PasskeySignIn,
  SignInAnswer,
  SignIns,
  SignInTarget,
  SignUpAnswer,
} from "./session/sign-ins.ts";
export type { SessionClaims, SessionState, SignedOutReason, StateListener } from "./session/state.ts";
export type { SessionStorage } from "./session/token-storage.ts";
export type { OnStepUp, StepUpNeed } from "./step-up.ts";
export { stepUpNeedOf } from "./step-up.ts";
export type { CallOptions, SallyportClient, SessionControls } from "./types.ts";
