import { GraphiQL } from 'graphiql';
import { FirstTabVariables } from './first-tab-variables.tsx';
import { gatewayFetcher } from './gateway-fetcher.ts';
import { readyMadeTabs, type SandboxClients } from './ready-made-tabs.ts';
import { WatchSentMessage } from './watch-sent-message.tsx';

/** GraphiQL on this page's own server. Tabs that the reader has stored win over the ready-made ones. */
export function GatewayGraphiQL({ sandboxClients }: { sandboxClients: SandboxClients | null }) {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={readyMadeTabs(sandboxClients)}
      defaultEditorToolsVisibility="variables"
      schemaDescription
      inputValueDeprecation
    >
      <GraphiQL.Logo>Pingup gateway</GraphiQL.Logo>
      <GraphiQL.Footer>
        <WatchSentMessage />
      </GraphiQL.Footer>
      <FirstTabVariables />
    </GraphiQL>
  );
}

const fetcher = gatewayFetcher(new URL(location.pathname, location.origin));
