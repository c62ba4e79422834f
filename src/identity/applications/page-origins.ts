/** `http://localhost` and `http://127.0.0.1` with any port, as browsers send them: lower case, no path. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?$/;

/** The origins that an application allows. `has` decides; a loop sees only the listed origins. */
export class PageOrigins extends Set<string> {
  /** @param allowsLoopback also allows every loopback origin of this machine, listed or not: for `sallyport dev` only */
  constructor(
    listed: Iterable<string>,
    private readonly allowsLoopback: boolean,
  ) {
    super(listed);
  }

  override has(origin: string): boolean {
    return super.has(origin) || (this.allowsLoopback && LOOPBACK.test(origin));
  }
}
