import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';

import { serviceIsAvailable, testS3 } from '../test-services/index.ts';

const describeS3 = serviceIsAvailable('s3') ? describe : describe.skip;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

describeS3('S3 with STS and IAM', () => {
  const house = serviceIsAvailable('s3') ? testS3() : undefined;
  const endpoint = { endpoint: house?.url ?? '', region: house?.region ?? '' };
  const s3 = (credentials: Credentials) =>
    new S3Client({ ...endpoint, credentials, forcePathStyle: true, maxAttempts: 1 });
  const key = house?.key ?? { accessKeyId: '', secretAccessKey: '' };

  const assume = async (arn: string, externalId: string): Promise<Credentials> => {
    const sts = new STSClient({ ...endpoint, credentials: key, maxAttempts: 1 });
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'test', ExternalId: externalId }),
    );
    return {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
  };

  test('a role opens its bucket and no other; a wrong external id is refused', async () => {
    if (house === undefined) throw new Error('no S3');
    const [mine, theirs] = [await house.createBucket('mine'), await house.createBucket('theirs')];
    const arn = await house.createRole({ externalId: 'right', buckets: [mine] });
    await expect(assume(arn, 'wrong')).rejects.toMatchObject({ name: 'AccessDenied' });

    const client = s3(await assume(arn, 'right'));
    await client.send(new PutObjectCommand({ Bucket: mine, Key: 'a', Body: 'hello' }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: mine, Key: 'a' }));
    expect(await Body?.transformToString()).toBe('hello');
    await expect(client.send(new PutObjectCommand({ Bucket: theirs, Key: 'a', Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  test('keys are checked', async () => {
    if (house === undefined) throw new Error('no S3');
    const bucket = await house.createBucket();
    const put = (credentials: Credentials) =>
      s3(credentials).send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }));
    await expect(put({ ...key, secretAccessKey: 'wrong' })).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    await expect(put({ accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' })).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
    });
    await put(key);
  });
});
