/** Controls of forms with their styles. They come with the pages that use them, not with the entry. */

import '@mantine/core/styles/ScrollArea.css';
import '@mantine/core/styles/Combobox.css';
import '@mantine/core/styles/NumberInput.css';
import '@mantine/core/styles/InlineInput.css';
import '@mantine/core/styles/Checkbox.css';
import '@mantine/core/styles/Switch.css';

export { Checkbox, NumberInput, Select, Switch } from '@mantine/core';
