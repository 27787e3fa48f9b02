import { ERRORS, RequestError } from '../../definitions/errors.ts';

export class BackupInvalidError extends RequestError {
  readonly code = 'BACKUP_INVALID';
}

ERRORS.BACKUP_INVALID = 'A file is not a backup of Skein, is damaged or encrypted, or was made by a newer version.';
