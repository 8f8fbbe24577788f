"use client";

import { useEffect, useEffectEvent, useState } from "react";
import type { ApiKey, UsagePlan } from "@/api/types";
import { loadMarkdown } from "@/components/markdown/lazy-markdown";
import * as strings from "@/strings";
import { ChatBar } from "./chat-bar";
import { Composer } from "./composer";
import { chosenKey } from "./conversation-store";
import { EmptyConversation } from "./empty-conversation";
import { FailureNotice } from "./failure-notice";
import { HistoryDialog } from "./history-dialog";
import { QuotaBanner } from "./quota-banner";
import { RoomChip } from "./room-chip";
import { leastLeft, limitsOf } from "./standing-quota";
import { Transcript } from "./transcript";
import { TuningForm } from "./tuning-form";
import { useConversation } from "./use-conversation";
import { useModelChoice } from "./use-model-choice";
import { useQuota } from "./use-quota";

type Props = { accountId: string; keys: ApiKey[]; plans: UsagePlan[]; models: string[] };

const words = strings.chat;

export function Chat({ accountId, keys, plans, models }: Props) {
  const chosen = chosenKey.useValue();
  const apiKey = keys.find(({ id }) => id === chosen) ?? keys[0]!;
  const plan = plans.find(({ id }) => id === apiKey.usage_plan_id);
  const [model, setModel, choices] = useModelChoice(models, plan);
  const chat = useConversation(accountId);
  const { quota, blocked, due, allowances } = useQuota({ keyId: apiKey.id, plan }, chat.incident);
  const left = leastLeft(limitsOf(apiKey.id, allowances), quota);
  const [given, setGiven] = useState<{ text: string }>();
  const [browsing, setBrowsing] = useState(false);
  // The conversation with invalid settings. Others still have their stored, valid ones.
  const [wrongIn, setWrongIn] = useState<string>();
  const isTuningWrong = wrongIn === chat.id;
  const isHeld = blocked || isTuningWrong;
  const { isStreaming, stop } = chat;
  const target = { keyId: apiKey.id, model };
  const regenerate = () => void chat.regenerate(target);

  async function resend(place: number, text: string) {
    if (!(await chat.resend(place, text, target))) setGiven({ text });
  }

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "Escape") stop();
  });
  useEffect(() => {
    if (!isStreaming) return;
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [isStreaming]);

  return (
    // Preload the markdown renderer when someone starts to write, since an answer will follow.
    <div
      onFocus={() => void loadMarkdown()}
      className="mx-auto flex w-full max-w-3xl flex-1 flex-col px-4 sm:px-6"
    >
      <h1 className="sr-only">{words.title}</h1>
      <ChatBar
        keys={keys}
        keyId={apiKey.id}
        onKey={chosenKey.set}
        models={choices}
        model={model}
        onModel={setModel}
        onHistory={!isStreaming ? () => setBrowsing(true) : undefined}
        onNew={chat.messages.length > 0 && !isStreaming ? chat.begin : undefined}
      />
      <TuningForm
        key={chat.id}
        tuning={chat.tuning}
        onChange={chat.setTuning}
        onValid={(isValid) => setWrongIn(isValid ? undefined : chat.id)}
      />
      {chat.messages.length === 0 ? (
        <EmptyConversation onSuggest={(text) => setGiven({ text })} />
      ) : (
        <Transcript
          messages={chat.messages}
          partial={isStreaming ? chat.partial : null}
          onRegenerate={isHeld ? undefined : regenerate}
          onResend={isHeld ? undefined : (place, text) => void resend(place, text)}
          onRemove={chat.removeMessage}
        />
      )}
      <p role="status" className="sr-only">
        {isStreaming ? words.generating : chat.isComplete && words.complete}
      </p>
      <div className="sticky bottom-0 space-y-3 bg-background pt-2 pb-4">
        {quota ? (
          <QuotaBanner quota={quota} due={due} plan={plan} keyId={apiKey.id} today={allowances} />
        ) : (
          chat.incident && (
            <FailureNotice {...chat.incident} onAskAgain={regenerate} onDismiss={chat.dismiss} />
          )
        )}
        <Composer
          draft={chat.draft}
          given={given}
          held={blocked ? words.blocked : isTuningWrong ? words.tuningWrong : undefined}
          streaming={isStreaming}
          onSend={(text) => chat.send(text, target)}
          onStop={stop}
          aside={
            left.length > 0 && (
              <div className="flex min-w-0 flex-wrap gap-1.5">
                {left.map((limit) => (
                  <RoomChip key={limit.measure} {...limit} named={left.length > 1} />
                ))}
              </div>
            )
          }
        />
      </div>
      {browsing && (
        <HistoryDialog
          accountId={accountId}
          entries={chat.entries}
          openId={chat.id}
          onClose={() => setBrowsing(false)}
          onRemove={chat.remove}
          onShow={(id) => {
            chat.show(id);
            setBrowsing(false);
          }}
        />
      )}
    </div>
  );
}
