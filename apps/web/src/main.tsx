import './style/base.css';
import './style/shell.css';
import './style/street.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { initialLanguage, LanguageProvider } from './i18n/index.tsx';
import { queryClient } from './queries.ts';

const initial = await initialLanguage();
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <LanguageProvider initial={initial}>
        <App />
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
