/** Every word that the components show. What the appliance says of a field (`details`) is shown as it comes. */
export interface Texts {
  signIn: string;
  signingIn: string;
  signUp: string;
  signingUp: string;
  email: string;
  password: string;
  passwordHint: string;
  displayName: string;
  displayNameHint: string;
  show: string;
  hide: string;
  showPassword: string;
  hidePassword: string;
  noAccount: string;
  haveAccount: string;
  account: (name: string) => string;
  signOut: string;
  signingOut: string;
  signOutEverywhere: string;
  emailMissing: string;
  passwordMissing: string;
  /** Above what is wrong with the fields. */
  fieldProblems: string;
  invalidCredentials: string;
  emailTaken: string;
  signUpClosed: string;
  /** @param seconds to wait, where the appliance said so */
  rateLimited: (seconds: number | null) => string;
  busy: string;
  unreachable: string;
  secondFactorNeeded: string;
}

export const english: Texts = {
  signIn: "Sign in",
  signingIn: "Signing in…",
  signUp: "Create account",
  signingUp: "Creating your account…",
  email: "Email address",
  password: "Password",
  passwordHint: "At least 15 characters. Several words that have nothing to do with each other are good.",
  displayName: "Your name",
  displayNameHint: "Optional.",
  show: "Show",
  hide: "Hide",
  showPassword: "Show password",
  hidePassword: "Hide password",
  noAccount: "No account yet?",
  haveAccount: "Have an account already?",
  account: (name) => `Account of ${name}`,
  signOut: "Sign out",
  signingOut: "Signing out…",
  signOutEverywhere: "Sign out on all devices",
  emailMissing: "Enter your email address.",
  passwordMissing: "Enter your password.",
  fieldProblems: "Something is not right yet:",
  invalidCredentials: "Wrong password, or no account with this address.",
  emailTaken: "There is an account with this address already.",
  signUpClosed: "New accounts cannot be created here.",
  rateLimited: (seconds) =>
    seconds === null ? "Too many attempts. Try again later." : `Too many attempts. Try again in ${waiting(seconds)}.`,
  busy: "The service is busy at this moment. Try again shortly.",
  unreachable: "The service cannot be reached. Check your connection and try again.",
  secondFactorNeeded: "This account needs a second factor, which this page does not offer.",
};

function waiting(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
