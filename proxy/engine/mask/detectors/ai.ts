/** Models and the services around them. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, format, hex, lowerAlnum, url64, UUID, word } from './format.ts';

export const ai: readonly BuiltinDetector[] = [
  format({
    name: 'openai-api-key',
    description: 'OpenAI project, service account and admin API keys',
    source: 'https://platform.openai.com/docs/api-reference/authentication',
    parts: [['sk-proj-', 'sk-svcacct-', 'sk-admin-'], url64(40, 200)],
  }),
  format({
    name: 'openai-user-api-key',
    description: 'OpenAI user API key, which has OpenAI in base64 in its middle',
    source: 'https://platform.openai.com/docs/api-reference/authentication',
    parts: ['sk-', alnum(20), 'T3BlbkFJ', alnum(20)],
  }),
  format({
    name: 'anthropic-api-key',
    description: 'Anthropic API, admin and OAuth keys',
    source: 'https://docs.anthropic.com/en/api/overview',
    parts: [
      ['sk-ant-api03-', 'sk-ant-admin01-', 'sk-ant-oat01-', 'sk-ant-ort01-', 'sk-ant-sid01-'],
      url64(80, 140),
    ],
  }),
  format({
    name: 'huggingface-token',
    description: 'Hugging Face user or organization access token',
    source: 'https://huggingface.co/docs/hub/security-tokens',
    parts: [['hf_', 'api_org_'], alnum(34, 40)],
  }),
  format({
    name: 'replicate-token',
    description: 'Replicate API token',
    source: 'https://replicate.com/docs/reference/http#authentication',
    parts: ['r8_', alnum(37)],
  }),
  format({
    name: 'groq-api-key',
    description: 'Groq API key',
    source: 'https://console.groq.com/docs/quickstart',
    parts: ['gsk_', alnum(52)],
  }),
  format({
    name: 'xai-api-key',
    description: 'xAI API key',
    source: 'https://docs.x.ai/docs/overview',
    parts: ['xai-', alnum(80)],
  }),
  format({
    name: 'perplexity-api-key',
    description: 'Perplexity API key',
    source: 'https://docs.perplexity.ai/getting-started/quickstart',
    parts: ['pplx-', alnum(48)],
  }),
  format({
    name: 'openrouter-api-key',
    description: 'OpenRouter API key',
    source: 'https://openrouter.ai/docs/api-reference/authentication',
    parts: ['sk-or-v1-', hex(64)],
  }),
  format({
    name: 'langsmith-api-key',
    description: 'LangSmith personal or service API key',
    source: 'https://docs.langchain.com/langsmith/create-account-api-key',
    parts: [['lsv2_pt_', 'lsv2_sk_'], hex(32), '_', hex(10)],
  }),
  format({
    name: 'langfuse-secret-key',
    description: 'Langfuse secret key',
    source: 'https://langfuse.com/docs/observability/get-started',
    parts: ['sk-lf-', ...UUID],
  }),
  format({
    name: 'pinecone-api-key',
    description: 'Pinecone API key',
    source: 'https://docs.pinecone.io/guides/projects/manage-api-keys',
    parts: ['pcsk_', word(60, 80)],
  }),
  format({
    name: 'nvidia-api-key',
    description: 'NVIDIA NGC and API catalog key',
    source: 'https://docs.nvidia.com/ngc/latest/ngc-user-guide.html',
    parts: ['nvapi-', url64(60, 70)],
  }),
  format({
    name: 'together-api-key',
    description: 'Together AI API key',
    source: 'https://docs.together.ai/docs/quickstart',
    parts: ['tgp_v1_', url64(43)],
  }),
  format({
    name: 'elevenlabs-api-key',
    description: 'ElevenLabs API key',
    source: 'https://elevenlabs.io/docs/api-reference/authentication',
    parts: ['sk_', hex(48)],
  }),
  format({
    name: 'deepseek-api-key',
    description: 'DeepSeek API key, and those of others that use its form',
    source: 'https://api-docs.deepseek.com/',
    parts: ['sk-', hex(32)],
  }),
  format({
    name: 'cerebras-api-key',
    description: 'Cerebras inference API key',
    source: 'https://inference-docs.cerebras.ai/quickstart',
    parts: ['csk-', lowerAlnum(48)],
  }),
  format({
    name: 'tavily-api-key',
    description: 'Tavily API key',
    source: 'https://docs.tavily.com/documentation/quickstart',
    parts: [['tvly-', 'tvly-dev-', 'tvly-prod-'], alnum(32)],
  }),
  format({
    name: 'jina-api-key',
    description: 'Jina AI API key',
    source: 'https://jina.ai/embeddings/',
    parts: ['jina_', alnum(60)],
  }),
  format({
    name: 'firecrawl-api-key',
    description: 'Firecrawl API key',
    source: 'https://docs.firecrawl.dev/introduction',
    parts: ['fc-', hex(32)],
  }),
];
