import { Button, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { watchOperationName } from './ready-made-tabs.ts';

/** After a send: one press puts the message's id into the watch tab. Shows nothing at any other time. */
export function WatchSentMessage() {
  const messageId = useGraphiQL((state) => sentMessageId(state.tabs[state.activeTabIndex]?.response));
  const watchTab = useGraphiQL((state) => state.tabs.findIndex((tab) => tab.title === watchOperationName));
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const { changeTab } = useGraphiQLActions();
  if (!messageId || watchTab < 0) return null;

  function openWatchTab() {
    changeTab(watchTab);
    variableEditor?.setValue(JSON.stringify({ messageId }, null, 2));
  }
  return (
    <div className="watch-sent-message">
      <Button type="button" onClick={openWatchTab}>
        Open message {messageId} in the watch tab
      </Button>
    </div>
  );
}

function sentMessageId(response: string | null | undefined): string | undefined {
  if (!response?.includes('"sendTextMessage"')) return undefined;
  return JSON.parse(response).data?.sendTextMessage?.message?.id;
}
