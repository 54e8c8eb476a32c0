package com.example.alpha;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.io.IOUtils;
import org.apache.commons.lang3.StringUtils;

public final class Core {
    public static String shout(String word) throws IOException {
        byte[] bytes = StringUtils.upperCase(word).getBytes(StandardCharsets.UTF_8);
        return IOUtils.toString(new ByteArrayInputStream(bytes), StandardCharsets.UTF_8);
    }
}
