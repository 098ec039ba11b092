import type { Place } from '@caisson/builder';

/** A flag or argument that makes no sense. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  /** Whether it is where and by whom caisson is run that is wrong: no help page says more of that. */
  readonly isOfCircumstances: boolean = false;
  readonly details: {
    readonly expected?: string;
    readonly suggestion?: string;
    readonly hint?: string;
    /** Where in a config file it stands. */
    readonly place?: Place;
  };

  constructor(message: string, details: UsageError['details'] = {}) {
    super(message);
    this.details = details;
  }
}

/** Nothing can be done here, or not by this user. */
export class CircumstancesError extends UsageError {
  override readonly name = 'CircumstancesError';
  override readonly isOfCircumstances = true;
}
