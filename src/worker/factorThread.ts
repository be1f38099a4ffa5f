/** Entry of a factoring thread under Node. */
import { parentPort } from 'node:worker_threads';
import { serveFactoring } from './serveFactoring';

if (!parentPort) throw new Error('factorThread runs as a worker thread only.');
const port = parentPort;
serveFactoring(__dirname, {
  post: (reply, handedOver) => port.postMessage(reply, handedOver),
  onMessage: (receive) => port.on('message', receive),
});
