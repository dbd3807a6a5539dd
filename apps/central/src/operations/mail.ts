/** Mail out of the program: one message with one file, over SMTP. */
import { MisuseError } from '@amiable/bytes';

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly file?: { readonly name: string; readonly type: string; readonly content: Uint8Array };
}

export interface Mailer {
  /** Resolves when the server has taken it. */
  send(mail: Mail): Promise<void>;
}

export interface MailOptions {
  /** `smtp://user:password@host:port`, `smtps://…`; TLS by STARTTLS where the server has it. */
  readonly url: string;
  readonly from: string;
}

/** Real ms. */
const PATIENCE = 30_000;

/** @throws MisuseError for an address that is none */
export function createMailer({ url, from }: MailOptions): Mailer {
  const known = URL.canParse(url) ? new URL(url) : undefined;
  if (!known || !/^smtps?:$/.test(known.protocol) || known.hostname === '')
    throw new MisuseError('--smtp wants smtp://host:port or smtps://user:password@host:port');
  if (!/^[^\s<>@]+@[^\s<>@]+$/.test(from) && !/^[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>$/.test(from))
    throw new MisuseError('--mail-from wants the address that mail comes from');
  return {
    async send({ to, subject, text, file }) {
      // Loaded by the first mail: most servers never send one.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host: known.hostname,
        port: known.port === '' ? (known.protocol === 'smtps:' ? 465 : 587) : Number(known.port),
        secure: known.protocol === 'smtps:',
        ...(known.username === ''
          ? {}
          : { auth: { user: decodeURIComponent(known.username), pass: decodeURIComponent(known.password) } }),
        connectionTimeout: PATIENCE,
        greetingTimeout: PATIENCE,
        socketTimeout: PATIENCE,
        // What a report holds comes from strangers: no files and no addresses are followed.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject,
          text,
          ...(file === undefined
            ? {}
            : { attachments: [{ filename: file.name, contentType: file.type, content: Buffer.from(file.content) }] }),
        });
      } catch (error) {
        throw new Error(`the mail server ${known.host} did not take it: ${(error as Error).message}`);
      } finally {
        transport.close();
      }
    },
  };
}
