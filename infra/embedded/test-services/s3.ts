/** S3, STS and IAM for one test: the base user's key, and buckets and roles of its own. */

import { type AwsEndpoint, createBucket, createRole, type RoleSpec } from '../src/aws-identities.ts';
import { requireService, uniqueName } from './availability.ts';

export interface TestS3 extends AwsEndpoint {
  /** A new bucket; its name starts with `prefix`. */
  createBucket(prefix?: string): Promise<string>;
  /** A role that the base user may assume with `externalId`; gives its ARN. */
  createRole(role: Omit<RoleSpec, 'name'>): Promise<string>;
}

export function testS3(): TestS3 {
  const endpoint: AwsEndpoint = {
    url: requireService('s3'),
    region: process.env.SKEIN_TEST_S3_REGION ?? 'us-east-1',
    key: {
      accessKeyId: process.env.SKEIN_TEST_S3_ACCESS_KEY ?? '',
      secretAccessKey: process.env.SKEIN_TEST_S3_SECRET_KEY ?? '',
    },
  };
  return {
    ...endpoint,
    async createBucket(prefix = 'test') {
      const bucket = uniqueName(prefix).replaceAll('_', '-').toLowerCase();
      await createBucket(endpoint, bucket);
      return bucket;
    },
    createRole: (role) => createRole(endpoint, { ...role, name: uniqueName('role') }),
  };
}
