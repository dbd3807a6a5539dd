/** Grey shapes where content will be: they have its size, so that nothing jumps when it comes. */
import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/index.tsx';

export function Bone({
  width = '100%',
  height = 16,
}: {
  width?: string | number;
  height?: string | number;
}): ReactNode {
  return <span className="bone" style={{ width, height }} aria-hidden="true" />;
}

export function PanelSkeleton({ height }: { height: number }): ReactNode {
  return (
    <div className="panel" aria-busy="true">
      <Bone height={height} />
    </div>
  );
}

export function PageSkeleton(): ReactNode {
  const { t } = useSpeech();
  return (
    <div className="page" aria-busy="true">
      <h1 className="unseen">{t('loading')}</h1>
      <Bone width={240} height={30} />
      <div className="panel">
        <Bone height={160} />
      </div>
      <div className="panel">
        <Bone height={260} />
      </div>
    </div>
  );
}
