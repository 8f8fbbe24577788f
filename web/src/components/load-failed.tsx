import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { messageOf } from "@/api/problem";
import * as strings from "@/strings";

type Props = { error: unknown; onRetry: () => void; retrying?: boolean };

export function LoadFailed({ error, onRetry, retrying }: Props) {
  return (
    <Notice
      tone="danger"
      alert
      title={strings.errors.loadFailed}
      action={
        <Button variant="secondary" size="small" pending={retrying} onClick={onRetry}>
          {strings.errors.retry}
        </Button>
      }
    >
      {messageOf(error)}
    </Notice>
  );
}
