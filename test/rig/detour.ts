/**
 * Leads every connection of this process to a port of this machine to another one. A broker of Kafka tells its clients
 * where it is, past any proxy that they were given; and no URL has to be rewritten.
 */

import net from 'node:net';

/** @param ports from the service's to the proxy's */
export function detour(ports: Readonly<Record<number, number>>): void {
  const { connect } = net.Socket.prototype as { connect: (this: net.Socket, ...args: unknown[]) => net.Socket };
  const led = (to: unknown): unknown => {
    if (typeof to === 'number' || typeof to === 'string') return ports[Number(to)] ?? to;
    const { port } = (to ?? {}) as { port?: number | string };
    return port === undefined || ports[Number(port)] === undefined
      ? to
      : { ...(to as object), port: ports[Number(port)] };
  };
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
    const [first] = args;
    // `net.connect` has put its arguments into one by then, marked with a symbol.
    if (Array.isArray(first)) first[0] = led(first[0]);
    else args[0] = led(first);
    return connect.apply(this, args);
  } as typeof net.Socket.prototype.connect;
}
