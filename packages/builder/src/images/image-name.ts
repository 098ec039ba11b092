import { parseReference, type Reference } from '@caisson/oci';
import { buildError } from '../failure.ts';

/** A name that the user gave. @throws BuildError `invalid-request` */
export function imageName(text: string, expected = 'NAME[:TAG][@DIGEST]'): Reference {
  const reference = parseReference(text);
  if (reference.ok) return reference.value;
  throw buildError('invalid-request', reference.error, { expected });
}

/** A name that an image can be given. @throws BuildError `invalid-request` */
export function newImageName(text: string): Reference {
  const name = imageName(text, 'NAME[:TAG]');
  if (name.digest === undefined) return name;
  throw buildError('invalid-request', `${text} has a digest`, { expected: 'NAME[:TAG]' });
}
