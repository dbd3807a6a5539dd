/** A page for those who may (have one of some privileges): others are told, and led to the log-in. */
import type { Privilege } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError } from '../api.ts';
import { Fault } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { meQuery } from './session.ts';

export function Guarded({ needs, children }: { needs: readonly Privilege[]; children: ReactNode }): ReactNode {
  const me = useQuery(meQuery);
  if (me.isPending) return <PageSkeleton />;
  if (needs.some((one) => me.data?.privileges.includes(one))) return children;
  const fault = me.error ?? new ApiError(me.data?.kind === 'user' ? 'forbidden' : 'unauthorized', needs.join(', '));
  return (
    <div className="page">
      <Fault fault={fault} {...(me.error ? { retry: () => void me.refetch() } : {})} />
    </div>
  );
}
