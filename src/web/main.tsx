import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';

import { createRoot } from 'react-dom/client';
import { GatewayGraphiQL } from './gateway-graphiql.tsx';

const container = document.querySelector<HTMLElement>('#graphiql');
if (!container) throw new Error('The page has no element with the id graphiql.');

const sandboxClients = JSON.parse(container.dataset['sandboxClients'] ?? 'null');
createRoot(container).render(<GatewayGraphiQL sandboxClients={sandboxClients} />);
