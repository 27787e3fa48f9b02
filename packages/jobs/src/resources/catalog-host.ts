/**
 * Hosts that a duckling's catalog may lie at: names and addresses, private ones too, because that is where catalogs are.
 * Refused is what is never a database: a cloud's metadata service, the unspecified, link-local and multicast addresses,
 * numbers that only some resolvers take for addresses, and whatever would end the host in a connection string. Pure.
 */

import { BlockList, isIP } from 'node:net';

const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('224.0.0.0', 3, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addAddress('fd00:ec2::254', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('ff00::', 8, 'ipv6');

const NAME = /^[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?$/i;
/** Such as 2130706433, 127.1 and 0x7f.1: written otherwise, addresses. */
const ENDS_IN_NUMBER = /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i;
const METADATA_NAME = /^metadata(\.google\.internal)?\.?$/i;

export function isCatalogHost(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return !NEVER.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return NAME.test(host) && !ENDS_IN_NUMBER.test(host) && !METADATA_NAME.test(host);
}
