"use client";

export { SignedIn, SignedOut } from "./gates.tsx";
export type { Auth } from "./hooks.ts";
export { useAuth, useSession, useUser } from "./hooks.ts";
export type { Other } from "./other-way.tsx";
export type { SallyportProviderProps } from "./provider.tsx";
export { SallyportProvider } from "./provider.tsx";
export type { SignInProps } from "./sign-in.tsx";
export { SignIn } from "./sign-in.tsx";
export type { SignUpProps } from "./sign-up.tsx";
export { SignUp } from "./sign-up.tsx";
export type { Texts } from "./texts.ts";
export { english } from "./texts.ts";
export { UserButton } from "./user-button.tsx";
