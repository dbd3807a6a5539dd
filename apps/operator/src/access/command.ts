export { auditCommand, groupCommand, segmentCommand, tokenCommand } from './groups.ts';
export { loginCommand, logoutCommand, passwordCommand, whoamiCommand } from './login.ts';
export { personCommand, userCommand } from './users.ts';
