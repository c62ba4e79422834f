/** All texts that the components show. The appliance's own text about a field (`details`) is shown as it comes. */
export interface Texts extends SignInTexts, FactorTexts, AccountTexts, ProblemTexts {
  /** BCP 47, for dates. */
  language: string;
}

interface SignInTexts {
  signIn: string;
  signingIn: string;
  signUp: string;
  signingUp: string;
  email: string;
  password: string;
  passwordHint: string;
  newPassword: string;
  displayName: string;
  displayNameHint: string;
  show: string;
  hide: string;
  showPassword: string;
  hidePassword: string;
  noAccount: string;
  haveAccount: string;
  or: string;
  usePasskey: string;
  mailLink: string;
  mailCode: string;
  forgotPassword: string;
  forgotPasswordIntro: string;
  sendMail: string;
  sending: string;
  backToSignIn: string;
  checkMail: string;
  /** @param email the typed address; the text must not say whether it has an account */
  signInMailSent: (email: string) => string;
  signUpMailSent: (email: string) => string;
  resetMailSent: (email: string) => string;
  addressMailSent: (email: string) => string;
  confirmAddressIntro: string;
  mailCodeLabel: string;
  mailCodeHint: string;
  confirm: string;
  confirming: string;
  sendAgain: string;
  sentAgain: string;
  otherAddress: string;
  setNewPassword: string;
  saving: string;
  passwordWasReset: string;
  passwordWasResetText: string;
}

interface FactorTexts {
  secondFactor: string;
  totpCode: string;
  totpCodeHint: string;
  recoveryCode: string;
  recoveryCodeHint: string;
  useTotp: string;
  useRecoveryCode: string;
  usePasskeyInstead: string;
  passkeyIntro: string;
  rememberDevice: string;
  startAgain: string;
  setUpTotp: string;
  setUpRequired: string;
  setUpScan: string;
  setUpEnter: string;
  qrCode: string;
  secretKey: string;
  openApp: string;
  setUpCodeHint: string;
  turnOn: string;
  recoveryCodes: string;
  recoveryCodesIntro: string;
  copy: string;
  copied: string;
  download: string;
  /** The first line of the file with the codes. */
  recoveryFile: string;
  codesKept: string;
  done: string;
  stepUp: string;
  stepUpIntro: string;
  stepUpSetUp: string;
  stepUpImpossible: string;
  mailCodeToYou: (email: string) => string;
  cancel: string;
  close: string;
}

interface AccountTexts {
  account: (name: string) => string;
  manageAccount: string;
  signOut: string;
  signingOut: string;
  signOutEverywhere: string;
  yourAccount: string;
  loading: string;
  tryAgain: string;
  save: string;
  saved: string;
  remove: string;
  keep: string;
  profile: string;
  profileIntro: string;
  addresses: string;
  addressesIntro: string;
  primary: string;
  unverified: string;
  makePrimary: string;
  verify: string;
  newAddress: string;
  addAddress: string;
  /** Button names for screen readers, which may announce the buttons without their surroundings. */
  makePrimaryOf: (email: string) => string;
  verifyOf: (email: string) => string;
  removeOf: (name: string) => string;
  renameOf: (name: string) => string;
  signOutOf: (device: string) => string;
  removeQuestion: (name: string) => string;
  addressAdded: string;
  passwordSince: (date: string) => string;
  passwordNone: string;
  passwordIntro: string;
  changePassword: string;
  setPassword: string;
  currentPassword: string;
  passwordChanged: string;
  secondFactors: string;
  secondFactorsIntro: string;
  totpOn: (date: string) => string;
  totpOff: string;
  turnOff: string;
  turnOffQuestion: string;
  turnedOff: string;
  codesLeft: (count: number) => string;
  noCodes: string;
  makeCodes: string;
  newCodes: string;
  newCodesQuestion: string;
  makeNewCodes: string;
  passkeys: string;
  passkeysIntro: string;
  noPasskeys: string;
  addPasskey: string;
  passkeyAdded: string;
  passkeyName: string;
  rename: string;
  synced: string;
  onThisDevice: string;
  addedAt: (date: string) => string;
  lastUsedAt: (date: string) => string;
  neverUsed: string;
  sessions: string;
  sessionsIntro: string;
  unknownDevice: string;
  thisSession: string;
  activeAt: (date: string) => string;
  endSession: string;
  endOthers: string;
  endOthersQuestion: string;
  othersEnded: (count: number) => string;
  devices: string;
  devicesIntro: string;
  noDevices: string;
  until: (date: string) => string;
  more: string;
  yourData: string;
  yourDataIntro: string;
  downloadData: string;
  deleteAccount: string;
  deleteAccountIntro: string;
  deleteAccountSure: string;
  deleteForever: string;
  deleting: string;
}

interface ProblemTexts {
  emailMissing: string;
  passwordMissing: string;
  codeMissing: string;
  nameMissing: string;
  /** Stands above the fields' problems. */
  fieldProblems: string;
  invalidCredentials: string;
  wrongPassword: string;
  invalidCode: string;
  /** A right code of an authenticator app that was used before. */
  codeUsed: string;
  signInOver: string;
  emailTaken: string;
  signUpClosed: string;
  notOffered: string;
  factorElsewhere: string;
  addressUnproven: string;
  askingSessionRequired: string;
  needsStepUp: string;
  passkeyCancelled: string;
  passkeyExists: string;
  passkeyUnsupported: string;
  cannotCopy: string;
  codesNotKept: string;
  notSure: string;
  /** @param seconds the wait, if the appliance named it */
  rateLimited: (seconds: number | null) => string;
  busy: string;
  unreachable: string;
  /** The notice if the appliance does not answer. */
  serviceDown: string;
  serviceDownText: string;
  /** The notice if the appliance does not answer pages of this origin. */
  pageRefused: string;
  pageRefusedText: (origin: string) => string;
  /** Stands above the command that allows the origin. */
  pageRefusedAdvice: string;
  /** The notice if a page was loaded over https and the appliance has an http address. */
  mixedContent: string;
  mixedContentText: string;
  mixedContentAdvice: string;
  sessionEnded: string;
}
