import { History, SquarePen } from "lucide-react";
import type { ApiKey } from "@/api/types";
import { IconButton } from "@/components/ui/icon-button";
import { Select } from "@/components/ui/select";
import * as strings from "@/strings";

type Props = {
  keys: ApiKey[];
  keyId: string;
  onKey: (id: string) => void;
  models: string[];
  model: string;
  onModel: (model: string) => void;
  onHistory?: () => void;
  onNew?: () => void;
};

const words = strings.chat;

export function ChatBar({ keys, keyId, onKey, models, model, onModel, onHistory, onNew }: Props) {
  return (
    <div className="flex items-center gap-2 py-4">
      <Select
        aria-label={words.key}
        value={keyId}
        onChange={(event) => onKey(event.target.value)}
        className="max-w-48 flex-1"
      >
        {keys.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <Select
        aria-label={words.model}
        value={model}
        onChange={(event) => onModel(event.target.value)}
        className="max-w-48 flex-1"
      >
        {models.map((id) => (
          <option key={id}>{id}</option>
        ))}
      </Select>
      <div className="ml-auto flex">
        {onHistory && (
          <IconButton icon={History} label={words.history} onClick={onHistory} />
        )}
        {onNew && (
          <IconButton icon={SquarePen} label={words.new} onClick={onNew} />
        )}
      </div>
    </div>
  );
}
